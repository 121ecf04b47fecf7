import { bundle } from '../../scripts/bundle.ts';

/** Once a run: workers start from the bundle, and never from an old one. */
export default async function setup(): Promise<void> {
  await bundle();
}
