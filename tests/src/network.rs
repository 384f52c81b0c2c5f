//! Networks inside the machine, from which clients come with addresses of their own.

use crate::machine::Machine;

impl Machine {
    /// Adds network namespaces. Each has the name of its network, such as `10.77.1`: its client is
    /// `10.77.1.2`, and the machine is `10.77.1.1` there.
    pub fn add_networks(&self, networks: &[&str]) {
        for (number, network) in networks.iter().enumerate() {
            self.run(&format!(
                "set -e
                 ip netns add {network}
                 ip link add outer{number} type veth peer name inner netns {network}
                 ip addr add {network}.1/24 dev outer{number}
                 ip link set outer{number} up
                 ip -n {network} addr add {network}.2/24 dev inner
                 ip -n {network} link set inner up"
            ))
            .stdout_ok();
        }
    }
}
