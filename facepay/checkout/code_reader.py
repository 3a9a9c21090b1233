"""Reads the shopper's own code off the pictures of the terminal's camera."""

from __future__ import annotations

import cv2

from facepay.types import Pixels
from keys.errors import FormatError
from keys.holder_code import decode_code


class CodeReader:
    """Finds a facepay code in a frame; any other QR code is passed over. One sale's, in one thread.

    A capsule is 93 modules wide. Of simulated 640 x 480 frames with noise, blur and JPEG, four in five are
    read from 4 pixels a module on, where the code fills the picture's height; a holder key has 29 modules
    and is read at half of that.
    """

    def __init__(self) -> None:
        # The finder that was made for fiducial markers reads dense codes at fewer pixels a module.
        self._detector = cv2.QRCodeDetectorAruco()

    def __call__(self, pixels: Pixels) -> str | None:
        """The text of the code in `uint8[H, W, 3]` BGR, or None."""
        grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
        try:
            text = str(self._detector.detectAndDecode(grey)[0])
            decode_code(text)
        except (cv2.error, UnicodeDecodeError, FormatError):
            # A torn or foreign code in one frame is nothing yet; the next frame may be whole.
            return None
        return text
