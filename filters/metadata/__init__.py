"""What stands beside the picture in many formats: EXIF, orientation, colour profiles."""
