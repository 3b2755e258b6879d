// Runs before the first paint so that a stored theme never flashes the other one. It is a file of its
// own because the Content-Security-Policy allows no inline script.
(function () {
  try {
    var theme = localStorage.getItem('kurir.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
    var language = localStorage.getItem('kurir.language');
    if (language === 'en' || language === 'id') document.documentElement.lang = language;
  } catch (_) {
    // Storage may be switched off; the system's theme and Indonesian apply then.
  }
})();
