"""Evidence about identity in texts and pictures: it may tighten a decision, never relax one."""
