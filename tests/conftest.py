"""What every test shares: no test sees this machine's own Jupyter, Hugging Face or matplotlib folders."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def private_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HOME and empty tool folders, so that nothing of the user's leaks into a test or out of it."""
    home = tmp_path_factory.mktemp("home")
    for name in ("HOME", "HF_HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home if name == "HOME" else home / name.lower()))
    for name in ("HF_HUB_OFFLINE", "HF_ENDPOINT", "JUPYTER_PATH", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)
    return home
