"""Consents in Slack (OAuth): people who let the bridge act there as themselves, and the tokens that they give."""
