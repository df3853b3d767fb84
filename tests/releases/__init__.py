"""Tests that each release reads what another release wrote, because data outlive the functions that wrote them."""
