"""The register of domains: its file, its entries and their life, who was meant by an address that is near another."""
