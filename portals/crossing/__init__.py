"""What may cross from one side to the other: the policies of portals, and what is done about what they withhold."""
