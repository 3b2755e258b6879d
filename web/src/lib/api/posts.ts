// Status posts: texts for contacts that are gone after a day.
import { call, getData } from './client';
import { devicePath } from './devices';
import type { PostsView, SentMessage } from './types';

const path = (deviceId: string) => `${devicePath(deviceId)}/status-posts`;

/** The posts of the last day, newest first. */
export const listPosts = (deviceId: string) => getData<PostsView>(path(deviceId));

/** Without `to` the people of the account's address book see it. */
export const createPost = (deviceId: string, message: string, to: string[] | undefined, idempotencyKey: string) =>
  call<SentMessage>('POST', path(deviceId), { body: { message, to }, idempotencyKey });

/** Takes an own post back from everybody who has it. */
export const deletePost = (deviceId: string, messageId: string) =>
  call('DELETE', `${path(deviceId)}/${encodeURIComponent(messageId)}`);
