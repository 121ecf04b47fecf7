import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { type LabGitHub, startLabGitHub } from '../lab-github.ts';
import { type Receiver, SECRET, SILENT, startReceiver } from './receiver.ts';

/** A lab's GitHub whose webhooks are kept, and an octokit that is its App's installation. */
export interface WatchedLab {
  readonly lab: LabGitHub;
  readonly receiver: Receiver;
  readonly engine: Octokit;
  readonly close: () => Promise<void>;
}

export async function startWatchedLab(): Promise<WatchedLab> {
  const receiver = await startReceiver();
  const lab = await startLabGitHub({ webhookUrl: receiver.url, webhookSecret: SECRET });
  const { id, privateKey } = lab.app;
  const engine = new Octokit({
    authStrategy: createAppAuth,
    auth: { appId: id, privateKey, installationId: lab.installationId },
    baseUrl: lab.url,
    log: SILENT,
  });
  const close = async (): Promise<void> => {
    await lab.close();
    receiver.close();
  };
  return { lab, receiver, engine, close };
}
