"""The bridge's face to the internet: redirects of old Slack links, and the avatars that Slack's servers fetch."""
