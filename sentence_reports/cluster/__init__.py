"""A Dask cluster makes the reports: the same `make_report`, on other machines.

On the side of the run, `client` finds the scheduler, `connection` looks after the workers, `schedule` asks them for
reports, and `stages` says how they share a large set. `worker` is what a worker does, `bench` what it keeps, and
`parcel` what travels. Nothing of Dask is imported before a run asks for a scheduler.
"""
