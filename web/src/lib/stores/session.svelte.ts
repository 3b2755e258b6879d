// Who is signed in, and what the server is: claimed or not, sandbox or not.
import * as accounts from '../api/accounts';
import { hooks, renew } from '../api/client';
import type { Language, SessionInfo, User } from '../api/types';
import { language } from '../i18n/index.svelte';
import { recall, remember } from '../storage';

type Phase = 'loading' | 'anonymous' | 'signed-in' | 'unreachable';

class Session {
  phase = $state<Phase>('loading');
  claimed = $state(true);
  sandbox = $state(false);
  version = $state('');
  user = $state<User | null>(null);
  isAdmin = $derived(this.user?.role === 'admin');

  async load(): Promise<void> {
    if (this.phase === 'unreachable') this.phase = 'loading';
    try {
      let info = await accounts.getSession();
      // Only a browser that was signed in has something to renew.
      if (!info.authenticated && recall('signed-in') && (await renew())) info = await accounts.getSession();
      this.apply(info);
    } catch {
      this.phase = 'unreachable';
    }
  }

  async signIn(email: string, password: string): Promise<void> {
    await accounts.login(email, password);
    await this.load();
  }

  async claim(form: accounts.ClaimForm): Promise<void> {
    await accounts.claim(form);
    await this.load();
  }

  async signOut(): Promise<void> {
    await accounts.logout().catch(() => undefined);
    this.end();
  }

  /** The server no longer knows this session. */
  end(): void {
    this.user = null;
    this.phase = 'anonymous';
    remember('signed-in', null);
  }

  async save(form: accounts.ProfileForm): Promise<void> {
    this.user = (await accounts.saveProfile(form)).data.user;
  }

  /** Shows the interface in a language and remembers it for the account, too. */
  async speak(chosen: Language): Promise<void> {
    language.set(chosen);
    if (this.user && this.user.language !== chosen) await this.save({ language: chosen }).catch(() => undefined);
  }

  private apply(info: SessionInfo): void {
    this.claimed = info.claimed;
    this.sandbox = info.sandbox;
    this.version = info.version;
    this.user = info.authenticated ? info.user : null;
    this.phase = this.user ? 'signed-in' : 'anonymous';
    remember('signed-in', this.user && 'yes');
    const spoken = this.user?.language;
    if (spoken === 'id' || spoken === 'en') language.set(spoken);
  }
}

export const session = new Session();

hooks.language = () => language.current;
hooks.sessionEnded = () => session.end();
