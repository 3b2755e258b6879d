// Light, dark, or what the system says. The first paint is decided by public/theme.js.
import { recall, remember } from './storage';

export type ThemeName = 'system' | 'light' | 'dark';

class Theme {
  current = $state<ThemeName>(stored());

  set(theme: ThemeName): void {
    this.current = theme;
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    remember('theme', theme === 'system' ? null : theme);
  }
}

function stored(): ThemeName {
  const theme = recall('theme');
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}

export const theme = new Theme();
