import { call, getData } from './client';
import { devicePath, groupPath } from './devices';

export interface GroupSummary {
  id: string;
  subject: string;
  /** Addresses of everybody in it. */
  participants: string[];
  /** Epoch seconds. */
  creation: number | null;
  owner: string | null;
}

export interface Member {
  id: string;
  /** Their hidden id, when it is known. */
  lid: string | null;
  isAdmin: boolean;
  isSuperAdmin: boolean;
}

export interface Group {
  id: string;
  subject: string;
  creation: number | null;
  owner: string | null;
  participants: Member[];
  description: string | null;
  /** Only admins may write. */
  announce: boolean;
  /** Only admins may change subject and description. */
  locked: boolean;
  /** An admin has to let new members in. */
  approval: boolean;
}

/** A person that WhatsApp refused, and why. */
export interface Refused {
  jid: string;
  reason: string;
}

/** Somebody whom the account knows, by the names that there are. */
export interface KnownPerson {
  id: string;
  lid?: string | null;
  name: string | null;
  notify: string | null;
  verifiedName: string | null;
}

export const listGroups = (deviceId: string, refresh = false) =>
  getData<{ groups: GroupSummary[] }>(`${devicePath(deviceId)}/groups`, { query: { refresh: refresh ? 'true' : undefined } });

export const createGroup = async (deviceId: string, subject: string, participants: string[]) =>
  (
    await call<{ groupId: string; failed?: Refused[] }>('POST', `${devicePath(deviceId)}/groups`, {
      body: { subject, participants },
    })
  ).data;

export const getGroup = (deviceId: string, groupId: string) => getData<Group>(`${groupPath(deviceId, groupId)}/info`);

export const addMembers = async (deviceId: string, groupId: string, participants: string[]) =>
  (
    await call<{ added: string[]; failed?: Refused[] }>('POST', `${groupPath(deviceId, groupId)}/participants`, {
      body: { participants },
    })
  ).data;

const member = (deviceId: string, groupId: string, kind: 'participants' | 'admins', jid: string) =>
  `${groupPath(deviceId, groupId)}/${kind}/${encodeURIComponent(jid)}`;

export const removeMember = (deviceId: string, groupId: string, jid: string) =>
  call('DELETE', member(deviceId, groupId, 'participants', jid));

export const promote = (deviceId: string, groupId: string, adminJid: string) =>
  call('POST', `${groupPath(deviceId, groupId)}/admins`, { body: { adminJid } });

export const demote = (deviceId: string, groupId: string, jid: string) =>
  call('DELETE', member(deviceId, groupId, 'admins', jid));

export const setSubject = (deviceId: string, groupId: string, subject: string) =>
  call('PUT', `${groupPath(deviceId, groupId)}/subject`, { body: { subject } });

export const setDescription = (deviceId: string, groupId: string, description: string) =>
  call('PUT', `${groupPath(deviceId, groupId)}/description`, { body: { description } });

/** `base64` is a JPEG, bare or as a data URL. */
export const setPicture = (deviceId: string, groupId: string, base64: string) =>
  call('PUT', `${groupPath(deviceId, groupId)}/picture`, { body: { base64 } });

export const removePicture = (deviceId: string, groupId: string) =>
  call('DELETE', `${groupPath(deviceId, groupId)}/picture`);

export type GroupSettings = Partial<Pick<Group, 'announce' | 'locked' | 'approval'>>;

export const setSettings = (deviceId: string, groupId: string, settings: GroupSettings) =>
  call('PUT', `${groupPath(deviceId, groupId)}/settings`, { body: settings });

export const getInvite = (deviceId: string, groupId: string) =>
  getData<{ link: string }>(`${groupPath(deviceId, groupId)}/invite`);

export const resetInvite = async (deviceId: string, groupId: string) =>
  (await call<{ link: string }>('POST', `${groupPath(deviceId, groupId)}/invite/reset`, { body: {} })).data;

export const leaveGroup = (deviceId: string, groupId: string) =>
  call('POST', `${groupPath(deviceId, groupId)}/leave`, { body: {} });

export const listKnownPeople = (deviceId: string) =>
  getData<{ contacts: KnownPerson[] }>(`${devicePath(deviceId)}/contacts`);
