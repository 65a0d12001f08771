new EventSource("/live").onmessage = (event) => {
  for (const [name, text] of Object.entries(JSON.parse(event.data))) {
    for (const shown of document.querySelectorAll(`[data-live="${name}"]`)) {
      if (shown.textContent !== text) shown.textContent = text;
    }
  }
};
