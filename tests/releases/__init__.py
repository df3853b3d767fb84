"""Tests that each release reads what another release wrote. Stored data outlast the functions that wrote them."""
