import { call, getData } from './client';
import type { CreatedToken, Language, SessionInfo, Token, TokenList, UserData } from './types';

export const getSession = () => getData<SessionInfo>('/api/auth/session');

export const login = (email: string, password: string) =>
  call<UserData>('POST', '/api/auth/login', { body: { email, password } });

export interface ClaimForm {
  token: string;
  username: string;
  email: string;
  password: string;
  fullName?: string;
}

export const claim = (form: ClaimForm) => call<UserData>('POST', '/api/auth/claim', { body: form });

export const logout = () => call('POST', '/api/auth/logout', { body: {} });

export const getProfile = () => getData<UserData>('/api/auth/profile');

export interface ProfileForm {
  fullName?: string;
  username?: string;
  email?: string;
  language?: Language;
}

export const saveProfile = (form: ProfileForm) =>
  call<UserData>('PUT', '/api/auth/profile', { body: form });

export const changePassword = (currentPassword: string, newPassword: string) =>
  call('POST', '/api/auth/change-password', { body: { currentPassword, newPassword } });

export const listTokens = () => getData<TokenList>('/api/auth/tokens');

export const createToken = (name: string, expiresInDays?: number) =>
  call<CreatedToken>('POST', '/api/auth/tokens', { body: { name, expiresInDays } });

export const deleteToken = (id: Token['id']) => call('DELETE', `/api/auth/tokens/${encodeURIComponent(id)}`);
