"""Steps 7, 9 and 10: the bytes that leave, made from those that came."""
