"""The sandbox of Slack keeps its own promises."""
