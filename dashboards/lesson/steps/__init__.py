"""The lesson's nine steps, a file each but for the last of the mix, in the order in which they are taught."""
