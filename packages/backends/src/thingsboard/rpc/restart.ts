import type { PerformedCommand } from "@ivy/types";
import { checked, NoParams, type RpcContext } from "./method.ts";

/** How many restarts are remembered. */
const REMEMBERED = 20;

/** The server repeats what it has an answer to within this time, if ever; in seconds. Later the number is a new one. */
const REPEATED_WITHIN_S = 600;

/**
 * Has all processes of the agent started again; the system goes on.
 *
 * A request may come again, to the process that this very restart has started, so the state remembers its number. But
 * numbers come again as well: the server counts anew from 0 when it is started. So an answered one is not held against
 * a request for ever.
 */
export const restart = checked({
  params: NoParams,
  perform: async (_params, context) => {
    const answer = { restarting: true };
    if (isRepetition(context))
      return { answer, afterwards: (acknowledged) => remember(context, acknowledged) };
    await remember(context, false);
    return {
      answer,
      async afterwards(acknowledged) {
        try {
          await remember(context, acknowledged);
        } finally {
          context.node.agent.requestRestart();
        }
      },
    };
  },
});

function isRepetition({ id, node }: RpcContext): boolean {
  const performed = node.state.load().performed_commands ?? [];
  return performed.some((command) => command.id === id && !isOld(command));
}

/** A clock that has jumped makes it old too: better a restart too many than a command that does nothing. */
function isOld({ answered, at }: PerformedCommand): boolean {
  return answered && Math.abs(Date.now() / 1_000 - at) > REPEATED_WITHIN_S;
}

async function remember({ id, node }: RpcContext, answered: boolean): Promise<void> {
  await node.state.update((draft) => {
    const others = (draft.performed_commands ?? []).filter((command) => command.id !== id);
    const command = { id, answered, at: Math.round(Date.now() / 1_000) };
    draft.performed_commands = [...others, command].slice(-REMEMBERED);
  });
}
