import proto from '@temporalio/proto';
import type { HistoryJson } from './history-files.ts';

const { History } = proto.temporal.api.history.v1;

type History = ReturnType<typeof History.create>;

/**
 * Not the SDK's `historyToJSON` and `historyFromJSON`: those need the SDK's packages to share one copy of protobufjs, and
 * npm gives each its own ("type must be a Type").
 */
export function toJson(history: Parameters<typeof History.encode>[0]): HistoryJson {
  const whole = History.decode(History.encode(history).finish());
  return History.toObject(whole, { enums: String, bytes: String, longs: String }) as HistoryJson;
}

export function fromJson(json: HistoryJson): History {
  return History.fromObject({ ...json });
}
