"""What a network computes: float32 reference and exact integers."""
