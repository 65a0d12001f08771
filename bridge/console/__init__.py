"""The console: pages for admins, whole without JavaScript, on a listener that belongs on no open network."""
