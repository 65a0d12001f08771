"""The console: pages for admins, made here and whole without JavaScript, on a listener that belongs on no open network."""
