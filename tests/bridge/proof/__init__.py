"""Tests of bridge/proof."""
