/** Which kernel runs and which is installed, who asks for a reboot, and what has failed. */
export const BOOT = `read -r v < /proc/sys/kernel/osrelease; echo "~ kernel $v"
v=$(ls /boot 2>/dev/null | sed -n 's/^vmlinuz-//p' | grep -v '\\.dpkg-\\|\\.old$' | sort -V | tail -n 1); [ -z "$v" ] || echo "~ kernel-installed $v"
# PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h
case $(readlink /proc/1/ns/pid) in 'pid:[4026531836]') echo '~ kernel-own' ;; esac
if [ -e /run/reboot-required ]; then echo '~ reboot'; sort -u /run/reboot-required.pkgs 2>/dev/null | sed 's/^/~ reboot-for /'; fi
stat -L -c '~ initrd %s' /boot/initrd.img-* 2>/dev/null | sort -k 3n | tail -n 1
systemctl list-units --failed --plain --no-legend --no-pager 2>/dev/null | awk '{ print "~ failed " $1 }'`;
