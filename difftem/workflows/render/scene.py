"""One volume in a window that is not shown, by VTK."""

import os
import subprocess
import sys
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from difftem.workflows.render.camera import CameraView
from difftem.workflows.render.load import ShownVolume
from difftem.workflows.render.look import Look
from difftem.workflows.render.options import Backdrop, Style
from difftem.workflows.render.transfer import TransferFunction

EXTRA = 'pip install "difftem[render]"'
_STEPS = 256  # of the transfer function
_STEP = 0.4  # voxels along a ray
# Without X11's library the window ends the process; the one that is left where there is no EGL
# claims to draw whether or not there is OSMesa, and ends the process when it does.
_TRY = """import vtkmodules.vtkRenderingOpenGL2
from vtkmodules.vtkRenderingCore import vtkRenderWindow
window = vtkRenderWindow()
window.SetOffScreenRendering(1)
if window.GetClassName() == "vtkOSOpenGLRenderWindow":
    window.Render()
raise SystemExit(not window.SupportsOpenGL())"""
_THIN = 0.01  # of the diagonal, to which opacities refer


def has_pyvista() -> bool:
    """Whether volumes can be rendered at all."""
    from importlib.util import find_spec

    return find_spec("pyvista") is not None


class VolumeScene:
    """A volume, lit and coloured, of which pictures are taken.

    Parameters
    ----------
    volume : ShownVolume
        What is seen.
    transfer : TransferFunction
        Grey values that are shown.
    look : Look
        Colours and light.
    style : {"volume", "surface"}
        Direct volume rendering, or the surface at the threshold.
    opacity : float
        Factor on that of the preset.
    backdrop : {"black", "white"}
        Behind it.
    size : int
        Pixels of a side of the picture.

    Raises
    ------
    ValueError
        If pyvista is missing.
    """

    def __init__(
        self,
        volume: ShownVolume,
        transfer: TransferFunction,
        look: Look,
        style: Style,
        opacity: float,
        backdrop: Backdrop,
        size: int,
    ) -> None:
        pyvista = _pyvista()
        self.half_depth = sum(side**2 for side in volume.sides) ** 0.5
        grid = _grid(pyvista, volume)
        self.plotter = pyvista.Plotter(off_screen=True, window_size=(size, size), lighting="none")
        self.plotter.set_background(backdrop)
        if style == "volume":
            self._add_volume(grid, transfer, look, opacity)
        else:
            self._add_surface(grid, transfer, look)
        self._add_lights(pyvista)
        self.plotter.camera.parallel_projection = True

    def _add_volume(
        self, grid: Any, transfer: TransferFunction, look: Look, opacity: float
    ) -> None:
        """Add all densities."""
        ramp = np.linspace(0, 1, _STEPS)
        # That of a thin layer: the opacity of thicker ones follows from it, and stays below 1.
        thin = np.clip(look.opacity * ramp**look.exponent, 0, 0.999)
        alpha = 1 - (1 - thin) ** opacity
        grey = transfer.threshold + ramp * (transfer.top - transfer.threshold)
        colors = np.array(look.colors)
        places = np.linspace(0, 1, len(colors))
        actor = self.plotter.add_volume(
            grid,
            scalars="density",
            mapper="fixed_point",  # the same picture on every machine, and quick without a GPU
            shade=True,
            ambient=look.ambient,
            diffuse=look.diffuse,
            specular=look.specular,
            show_scalar_bar=False,
            reset_camera=False,
        )
        mapper, properties = actor.mapper, actor.prop
        mapper.SetAutoAdjustSampleDistances(False)  # pictures do not wait for a clock
        mapper.SetImageSampleDistance(1)
        mapper.SetSampleDistance(_STEP * grid.spacing[0])
        color, opaque = properties.GetRGBTransferFunction(), properties.GetScalarOpacity()
        color.RemoveAllPoints()
        opaque.RemoveAllPoints()
        for value, share, a in zip(grey, ramp, alpha, strict=True):
            color.AddRGBPoint(value, *(np.interp(share, places, colors[:, i]) for i in range(3)))
            opaque.AddPoint(value, a)
        properties.SetScalarOpacityUnitDistance(_THIN * self.half_depth)
        properties.SetInterpolationTypeToLinear()

    def _add_surface(self, grid: Any, transfer: TransferFunction, look: Look) -> None:
        """Add the surface at the threshold."""
        surface = grid.contour([transfer.threshold], scalars="density", method="flying_edges")
        if surface.n_points == 0:
            return
        self.plotter.add_mesh(
            surface,
            color=look.surface,
            smooth_shading=True,
            ambient=look.ambient / 2,
            diffuse=look.diffuse,
            specular=look.specular,
            specular_power=20,
            show_scalar_bar=False,
            reset_camera=False,
        )

    def _add_lights(self, pyvista: Any) -> None:
        """Light from the upper left of the camera, and a little from the right."""
        for place, strength in (((-1.0, 1.2, 1.6), 1.0), ((1.4, -0.3, 0.8), 0.4)):
            self.plotter.add_light(
                pyvista.Light(position=place, light_type="camera light", intensity=strength)
            )

    def picture(self, view: CameraView) -> NDArray[np.uint8]:  # (size, size, 3)
        """Take a picture.

        Parameters
        ----------
        view : CameraView
            From where.

        Returns
        -------
        ndarray
            Red, green, blue, row 0 at the top, shape ``(size, size, 3)``.
        """
        camera = self.plotter.camera
        center = np.array(view.center)
        camera.focal_point = tuple(center)
        camera.position = tuple(center + 4 * self.half_depth * np.array(view.towards))
        camera.up = view.up
        camera.parallel_scale = view.half
        camera.clipping_range = (self.half_depth, 8 * self.half_depth)
        self.plotter.render()
        return np.asarray(self.plotter.screenshot(return_img=True))[..., :3].copy()

    def close(self) -> None:
        """Free the window."""
        self.plotter.close()


def _grid(pyvista: Any, volume: ShownVolume) -> Any:
    """Volume with its middle at 0."""
    nz, ny, nx = volume.data.shape
    side = volume.sides[0] / nx
    grid = pyvista.ImageData(
        dimensions=(nx, ny, nz),
        spacing=(side, side, side),
        origin=(-(nx - 1) * side / 2, -(ny - 1) * side / 2, -(nz - 1) * side / 2),
    )
    grid.point_data["density"] = volume.data.contiguous().numpy().ravel()
    return grid


def _pyvista() -> Any:
    """Load pyvista, and keep VTK quiet."""
    with suppress(ImportError):  # Linux only
        # Without a GPU VTK draws with Mesa, whose LLVM ends the process when Triton's comes later.
        import triton  # noqa: F401
    try:
        from vtkmodules.vtkCommonCore import vtkLogger  # quick to load

        if os.environ.get("DIFFTEM_DEBUG") != "1":  # it warns of every display that is not there
            vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
        import pyvista
    except ImportError as error:
        raise ValueError(f"rendering needs pyvista ({EXTRA}): {error}") from error
    return pyvista


def check_drawing() -> None:
    """Make sure that something can be drawn on this machine.

    Raises
    ------
    ValueError
        If there is no display, and nothing that draws without one, in one line.
    """
    _pyvista()
    if not _supports_drawing():
        raise ValueError(
            "nothing can be drawn here: no display, and neither EGL nor OSMesa works off screen "
            "(Debian: apt install libx11-6 libegl1 libgl1-mesa-dri); --style slices needs neither"
        )


@cache
def _supports_drawing() -> bool:
    """Try a window that is not shown, in a process of its own."""
    return subprocess.run([sys.executable, "-c", _TRY], capture_output=True).returncode == 0
