// In one file, so that they run beside each other: most of them wait for the time of a trial.
import "./launcher/commands.ts";
import "./launcher/damage.ts";
import "./launcher/helpers.ts";
import "./launcher/trial.ts";
