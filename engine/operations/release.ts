import { type ItemKey, splitItemKey } from '../facts/fact.ts';
import { itemDir } from '../facts/owned.ts';
import { type Sh, sh } from '../shell/sh.ts';
import { custodyOf } from './custodies.ts';
import type { Operation } from './operation.ts';

export type ReleaseItem = { readonly item: ItemKey };

/**
 * An item left the YAML: it is put back as it was at first contact. What was absent then is removed, what was there
 * is restored. The record goes; the runner saves it before, so that a rollback brings it back.
 */
export const releaseItem: Operation<ReleaseItem> = {
  operation: 'item.release',
  items: (p) => [p.item],
  check: (p) => recordGone(p.item),
  apply: (p) => {
    const { fact, key } = splitItemKey(p.item);
    const dir = itemDir(p.item);
    const custody = custodyOf(fact);
    const items = [{ key, save: sh`${`${dir}/saved`}` }];
    return sh`${custody.concede?.(items) ?? sh`:`}
${custody.restore(items)}
${custody.settle?.(items) ?? sh`:`}
rm -rf -- ${dir}`;
  },
};

/** `onRemoval: keep`: the engine forgets the item and leaves it as it is. */
export const forgetItem: Operation<ReleaseItem> = {
  operation: 'item.forget',
  items: (p) => [p.item],
  check: (p) => recordGone(p.item),
  apply: (p) => sh`rm -rf -- ${itemDir(p.item)}`,
};

function recordGone(item: ItemKey): Sh {
  return sh`[ ! -e ${`${itemDir(item)}/record`} ]`;
}
