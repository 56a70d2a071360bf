export interface UnitOptions {
  /** Name of the software. */
  name: string;
  /** Root of the node, an absolute path: the only folder that the agent may write to, but for `writable`. */
  root: string;
  /** Who the agent runs as; its groups say which devices it may use. */
  user: string;
  /** Command line that runs the agent in the foreground; that of the launcher in the root if left out. */
  command?: readonly [program: string, ...args: string[]];
  /** More folders that it may write to, each an absolute path: that of the data, if it lies elsewhere. */
  writable?: readonly string[];
}

/**
 * The unit that has systemd run the agent: started at boot, started again whenever it ends, watched, and kept from
 * everything that it does not need.
 */
export function systemdUnit({ name, root, user, command, writable = [] }: UnitOptions): string {
  const words = command ?? [`${root}/${name}-cli.sh`, "run"];
  // Of a command line alone, variables are replaced.
  const start = words.map((word) => quoted(word).replaceAll("$", "$$$$")).join(" ");
  const paths = [root, ...writable].map(quoted).join(" ");
  return `# Written by the set-up of ${name}. Changes belong into a drop-in: systemctl edit ${name}
[Unit]
Description=${name}, the agent of a sensor node
After=network.target
# It is started again for ever, however often it ends.
StartLimitIntervalSec=0

[Service]
Type=notify
# The agent is not the main process of the unit: that is the launcher, which guards it.
NotifyAccess=all
ExecStart=${start}
User=${user.replaceAll("%", "%%")}
WorkingDirectory=${root.replaceAll("%", "%%")}
Restart=always
RestartSec=10

# Fed while the main loop and every procedure make progress.
WatchdogSec=300
# What hangs is asked to end, and killed a minute later.
WatchdogSignal=SIGTERM
TimeoutAbortSec=60
# A version that has to be left again takes its time.
TimeoutStartSec=900
# The longest drain that a configuration may ask for, and what procedures may take.
TimeoutStopSec=7320
# The launcher alone is told to end: the agent ends its processes in order, and drains. What is left then is killed.
KillMode=mixed
# A procedure that needs too much memory is started again, alone.
OOMPolicy=continue

# Sensors need devices, JavaScript needs memory that it can write and run: both stay allowed.
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths=${paths}
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0027

[Install]
WantedBy=multi-user.target
`;
}

/** As one word of a line of a unit. */
function quoted(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return `"${escaped}"`;
}
