/** What SAs do to packets: ESP, AH and IPComp, their algorithms, replay windows. */
package org.xfrmbridge.esp;
