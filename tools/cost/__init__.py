"""Calculates what orders cost on AWS, from the recorded graph and one recorded order: `make cost`."""
