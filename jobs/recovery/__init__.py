"""After a power cut: what was interrupted at a site is settled on one screen."""
