"""Movies of frames: MP4 by ffmpeg, GIF by Pillow."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from difftem.io.errors import input_error
from difftem.workflows.render.scene import EXTRA

_QUALITY = "20"  # of x264: 18 is near what the eye can tell, each 6 more halve the file
_MOST_GIF_FPS = 50.0  # viewers slow faster ones down


def check_ffmpeg() -> None:
    """Refuse an MP4 that could not be written.

    Raises
    ------
    ValueError
        If there is no ffmpeg, in one line.
    """
    try:
        import imageio_ffmpeg

        imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise ValueError(
            f"no ffmpeg to write .mp4 ({EXTRA}, or set IMAGEIO_FFMPEG_EXE); .gif and .html need "
            "none"
        ) from error


def write_mp4(path: Path, frames: Iterable[NDArray[np.uint8]], fps: float) -> None:
    """Write an MP4 (H.264) that browsers and slides play.

    Parameters
    ----------
    path : Path
        To write, of any suffix; replaced.
    frames : iterable of ndarray
        Red, green, blue, shape ``(height, width, 3)``, both even.
    fps : float
        Frames a second.
    """
    import imageio_ffmpeg

    writer = None
    try:
        for frame in frames:
            if writer is None:
                writer = imageio_ffmpeg.write_frames(
                    str(path),
                    (frame.shape[1], frame.shape[0]),
                    fps=fps,
                    codec="libx264",
                    pix_fmt_out="yuv420p",
                    quality=None,
                    macro_block_size=2,
                    output_params=["-crf", _QUALITY, "-movflags", "+faststart", "-f", "mp4"],
                )
                writer.send(None)
            writer.send(np.ascontiguousarray(frame))
    except (BrokenPipeError, RuntimeError, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise input_error(path, f"ffmpeg ended: {first}") from error
    finally:
        if writer is not None:
            writer.close()
    if not path.is_file() or path.stat().st_size == 0:
        raise input_error(path, "ffmpeg wrote nothing")


def write_gif(path: Path, frames: Iterable[NDArray[np.uint8]], fps: float) -> None:
    """Write a GIF that repeats, each frame in the 255 colours that fit it best.

    Parameters
    ----------
    path : Path
        To write, of any suffix; replaced.
    frames : iterable of ndarray
        Red, green, blue, shape ``(height, width, 3)``.
    fps : float
        Frames a second, 50 at most.
    """
    from PIL import Image

    pictures = (Image.fromarray(each).quantize(255, dither=Image.Dither.NONE) for each in frames)
    next(pictures).save(
        path,
        format="GIF",
        save_all=True,
        append_images=pictures,
        duration=round(1000 / min(fps, _MOST_GIF_FPS)),
        loop=0,
    )
