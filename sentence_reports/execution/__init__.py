"""From a notebook and its parameters to the executed notebook: papermill, and the kernels that it runs."""
