import { MAX_PAUSE_SECONDS } from '../../rollout/rollout.ts';
import { errorAt, isServer, type PlannedDocument, targetsServer } from '../documents.ts';
import type { Manifest, SpecError } from '../manifest.ts';
import { didYouMean } from '../nearest.ts';
import { checkDuration } from './duration.ts';

/** What the schema cannot say about the rollout of a document. */
export function checkRollout(document: PlannedDocument, manifest: Manifest): readonly SpecError[] {
  const { pause, spread } = document.spec.rollout ?? {};
  return [
    ...(pause === undefined
      ? []
      : checkDuration(document, '/spec/rollout/pause', pause, 0, MAX_PAUSE_SECONDS)),
    ...(spread === undefined ? [] : checkSpread(document, manifest, spread)),
  ];
}

/** A misspelt label would let the members of a cluster be changed together. */
function checkSpread(
  document: PlannedDocument,
  { documents }: Manifest,
  label: string,
): readonly SpecError[] {
  const servers = documents
    .filter(isServer)
    .filter((server) => targetsServer(document.spec.targets, server))
    .map(({ metadata }) => Object.keys(metadata.labels));
  if (servers.length === 0 || servers.some((labels) => labels.includes(label))) return [];
  const message = `None of the servers of this document has the label ${label}${didYouMean(label, new Set(servers.flat()))}`;
  return [errorAt(document, 'unknown-label', '/spec/rollout/spread', message)];
}
