"""PURE.  Bytes in, bytes and findings out.  Knows images and containers; knows no mail, no policy, no clock."""
