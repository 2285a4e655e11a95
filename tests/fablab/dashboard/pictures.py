"""Pictures as people send them."""

from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

WHERE = "salle du fond, chez Ines"


def a_photo(kind: str = "JPEG") -> SimpleUploadedFile:
    """Make a picture as a phone does: large, and with words on where it was taken."""
    picture = Image.new("RGB", (1800, 900), (200, 80, 20))
    exif = Image.Exif()
    exif[0x010E] = WHERE
    out = BytesIO()
    picture.save(out, kind, exif=exif.tobytes())
    return SimpleUploadedFile("IMG_2210.jpg", out.getvalue())
