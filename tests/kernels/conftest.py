import pytest


@pytest.fixture(scope="session")
def triton_cache(request, tmp_path_factory):
    """Folder of compiled kernels; `pytest --cache-clear` empties it.

    Triton finds them by their source, its version and that of ptxas: what changed is compiled anew.
    """
    cache = getattr(request.config, "cache", None)  # without `-p no:cacheprovider`
    return cache.mkdir("triton") if cache else tmp_path_factory.mktemp("triton")
