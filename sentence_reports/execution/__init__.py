"""Run notebooks with papermill, in isolated kernels."""
