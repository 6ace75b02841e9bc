"""A Dask cluster makes the reports: the same `make_report`, on other machines.

`connection` is the side of the run, `worker` is what a worker does, `parcel` is what travels. Nothing of Dask is
imported before a run asks for a scheduler.
"""
