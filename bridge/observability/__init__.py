"""What shows from outside how the bridge does: metrics, health, and the figures that both and the console rest on."""
