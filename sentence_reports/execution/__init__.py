"""From a job to an executed notebook: papermill, and the kernels that it runs."""
