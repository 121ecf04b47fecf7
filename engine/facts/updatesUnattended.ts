/**
 * Whether Debian's own timer installs updates by itself: as apt.systemd.daily reads apt.conf(5), where Enable is on unless it is said
 * otherwise.
 */
export const UNATTENDED = `doaas_periodic() { apt-config dump --format '%v%n' "APT::Periodic::$1" 2>/dev/null | tail -n 1; }
if command -v unattended-upgrade > /dev/null && [ "$(doaas_periodic Enable)" != 0 ]; then
  case $(doaas_periodic Unattended-Upgrade) in
    ''|0) ;;
    *) if systemctl is-enabled -q apt-daily-upgrade.timer 2>/dev/null || systemctl is-active -q apt-daily-upgrade.timer; then echo '~ unattended'; fi ;;
  esac
fi`;
