/** Two gateways in the host's stack, disturbed at random under traffic: nothing may pass in the clear. */
package org.xfrmbridge.it.chaos;
