// Start, pause, stop. Stopping offers to close the bot's positions.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "../../api/client";
import type { Bot } from "../../api/types";
import { Dialog } from "../../ui/Dialog";
import { Problem } from "../../ui/Problem";

export function Controls({ bot }: { bot: Bot }) {
  const [stopping, setStopping] = useState(false);
  const client = useQueryClient();
  const command = useMutation({
    mutationFn: ({ verb, body }: { verb: string; body?: unknown }) =>
      post(`bots/${encodeURIComponent(bot.name)}/${verb}`, body),
    onSuccess: () => setStopping(false),
    onSettled: () => client.invalidateQueries({ queryKey: ["bots"] }),
  });
  const idle = bot.state === "stopped" || bot.state === "paused" || bot.state === "faulted";
  const stop = (mode: "keep" | "close") => command.mutate({ verb: "stop", body: { mode } });
  return (
    <div className="flex items-center gap-2">
      {!stopping && <Problem of={command.error} />}
      <button
        type="button"
        className="button"
        disabled={!idle || command.isPending}
        onClick={() => command.mutate({ verb: "start" })}
      >
        Start
      </button>
      <button
        type="button"
        className="button"
        disabled={idle || command.isPending}
        onClick={() => command.mutate({ verb: "pause" })}
      >
        Pause
      </button>
      <button
        type="button"
        className="button"
        disabled={bot.state === "stopped" || command.isPending}
        onClick={() => setStopping(true)}
      >
        Stop …
      </button>
      {stopping && (
        <Dialog title={`Stop ${bot.name}`} onClose={() => setStopping(false)}>
          <p className="mb-4 text-dim">Its entries are cancelled. Close its positions, too?</p>
          <Problem of={command.error} />
          <div className="flex flex-wrap justify-end gap-2">
            <button type="button" className="button" onClick={() => setStopping(false)}>
              Cancel
            </button>
            <button
              type="button"
              className="button"
              disabled={command.isPending}
              onClick={() => stop("close")}
            >
              Close positions at market
            </button>
            <button
              type="button"
              className="button"
              disabled={command.isPending}
              onClick={() => stop("keep")}
            >
              Keep positions and stops
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
