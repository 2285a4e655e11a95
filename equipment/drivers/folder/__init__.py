"""An atomic copy into a watched folder or share."""
