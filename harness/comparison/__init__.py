"""Is the candidate better than the baseline, at what, by how much beyond noise, and may it be shipped?"""
