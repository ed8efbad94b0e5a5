/** Room to execute: of each queue, and of the worker as a whole. A run that waits gives its room back. */
import { type QueueSlot, slotKey } from "../store/runs.ts";
import { abortable } from "./waiting.ts";

export interface Slots {
  hasRoom(): boolean;
  /** Queues in which nothing more may begin. */
  full(): QueueSlot[];
  take(slot: QueueSlot): void;
  /** Takes room as soon as there is some, ahead of runs that have not begun. Rejects when the signal aborts. */
  acquire(slot: QueueSlot, signal: AbortSignal): Promise<void>;
  release(slot: QueueSlot): void;
}

interface SlotOptions {
  total: number;
  limitOf(queue: string): number;
  /** Room was given back and nobody who waited took it. */
  onFree(): void;
}

export function createSlots({ total, limitOf, onFree }: SlotOptions): Slots {
  const taken = new Map<string, { slot: QueueSlot; count: number }>();
  const waiting = new Set<{ slot: QueueSlot; enter: () => void }>();
  let takenInAll = 0;

  const isFull = ({ slot, count }: { slot: QueueSlot; count: number }) => count >= limitOf(slot.queue);
  const fits = (slot: QueueSlot) =>
    takenInAll < total && !isFull(taken.get(slotKey(slot)) ?? { slot, count: 0 });

  const take = (slot: QueueSlot) => {
    const key = slotKey(slot);
    const { count } = taken.get(key) ?? { count: 0 };
    taken.set(key, { slot, count: count + 1 });
    takenInAll++;
  };

  const release = (slot: QueueSlot) => {
    const key = slotKey(slot);
    const { count } = taken.get(key) ?? { count: 0 };
    if (count > 1) taken.set(key, { slot, count: count - 1 });
    else taken.delete(key);
    takenInAll--;
    for (const waiter of waiting) if (fits(waiter.slot)) waiter.enter();
    onFree();
  };

  return {
    hasRoom: () => takenInAll < total,
    full: () => [...taken.values()].filter(isFull).map(({ slot }) => slot),
    take,
    acquire: async (slot, signal) => {
      signal.throwIfAborted();
      if (fits(slot)) return take(slot);
      let waiter: { slot: QueueSlot; enter: () => void } | undefined;
      const entered = new Promise<void>((resolve) => {
        waiter = {
          slot,
          enter: () => {
            if (waiter) waiting.delete(waiter);
            take(slot);
            resolve();
          },
        };
        waiting.add(waiter);
      });
      try {
        await abortable(entered, signal);
      } catch (error) {
        // Let in and stopped in the same moment: the room goes back.
        if (waiter && !waiting.delete(waiter)) release(slot);
        throw error;
      }
    },
    release,
  };
}
