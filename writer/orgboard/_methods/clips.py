"""What runs in time: video and audio."""

from __future__ import annotations

from typing import Any

from orgboard._methods.recorder import Recorder

__all__ = ["Clips"]


class Clips(Recorder):
    """Video and audio."""

    def add_video(
        self,
        tag: str,
        vid_tensor: Any,
        global_step: Any = None,
        fps: float = 4,
        walltime: float | None = None,
        dataformats: str = "NTCHW",
        format: str = "gif",  # noqa: A002 (the word that other tools use)
    ) -> None:
        """Log a batch of clips side by side: uint8 as it is, other types from 0..1.

        `vid_tensor` has shape (N, T, C, H, W), clips, frames, channels (1, 3 or 4), rows and
        columns; `dataformats` names another order. It becomes an animated GIF, which TensorBoard
        shows among the images; frames of at most 256 colours are kept exactly. `format="mp4"`
        (needs imageio-ffmpeg, as in `orgboard[media]`) is smaller and shown by orgboard alone.
        Or it is an MP4, WebM or GIF file: its bytes, or a path to it.

            writer.add_video("episode", frames[None], step, fps=30)  # (1, 200, 3, 84, 84)
        """
        with self._guard:
            if self._muted:
                return
            from orgboard._kinds.film import can_encode
            from orgboard._kinds.given_files import file_bytes
            from orgboard._kinds.given_pictures import take_bounded
            from orgboard._kinds.video import check_clip, check_film, film_body, gif_body, mp4_body

            film = file_bytes(vid_tensor)
            if film is not None:
                self._put(film_body, tag, check_film(film), global_step, walltime, size=len(film))
                return
            if format not in ("gif", "mp4"):
                raise ValueError(f'format must be "gif" or "mp4", got {format!r}')
            if format == "mp4" and not can_encode():
                self._guard.tell_once(
                    "mp4", "no encoder for MP4, writing GIF: pip install orgboard[media]"
                )
                format = "gif"  # noqa: A001 (as above)
            clip = check_clip(take_bounded(vid_tensor), dataformats, fps)
            encode = mp4_body if format == "mp4" else gif_body
            self._put(encode, tag, clip, global_step, walltime, size=clip.array.nbytes)

    def add_audio(
        self,
        tag: str,
        snd_tensor: Any,
        global_step: Any = None,
        sample_rate: int = 44100,
        walltime: float | None = None,
    ) -> None:
        """Log a sound as 16-bit WAV: -1..1, beyond it clipped; int16, uint8, int32 whole range.

        `snd_tensor` has shape (L,), (1, L) or (L, 1) for one channel, (L, 2) or (2, L) for two;
        `sample_rate` is in Hz.

            writer.add_audio("speech", waveform, step, sample_rate=16_000)
        """
        with self._guard:
            if self._muted:
                return
            from orgboard._kinds.audio import audio_body, check_sound
            from orgboard._kinds.given_pictures import take_bounded

            sound = check_sound(take_bounded(snd_tensor), sample_rate)
            self._put(audio_body, tag, sound, global_step, walltime, size=sound.samples.nbytes)
