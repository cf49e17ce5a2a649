// Mass of the two leading muons, opposite charge, from data/nano_dimuon.root.
//   root -l -b -q spectrum.C        writes out/spectrum.root
// The returned number is the exit status of root.

#include <ROOT/RDataFrame.hxx>
#include <TFile.h>
#include <TH1D.h>
#include <TSystem.h>

using Floats = ROOT::RVec<float>;
using Ints = ROOT::RVec<int>;

float pairMass(const Floats &pt, const Floats &eta, const Floats &phi, const Floats &mass)
{
   return ROOT::VecOps::InvariantMass(ROOT::VecOps::Take(pt, 2), ROOT::VecOps::Take(eta, 2),
                                      ROOT::VecOps::Take(phi, 2), ROOT::VecOps::Take(mass, 2));
}

bool oppositeCharge(const Ints &charge)
{
   return charge.size() >= 2 && charge[0] != charge[1];
}

int spectrum(const char *input = "data/nano_dimuon.root", const char *output = "out/spectrum.root")
{
   ROOT::RDataFrame events("Events", input);
   auto dimuon = events.Filter("nMuon >= 2 && Muon_pt[1] > 5", "two muons")
                    .Filter(oppositeCharge, {"Muon_charge"}, "opposite charge")
                    .Define("mass", pairMass, {"Muon_pt", "Muon_eta", "Muon_phi", "Muon_mass"});
   auto h = dimuon.Histo1D({"mass", "dimuon mass;m [GeV];events", 60, 0, 120}, "mass");

   if (h->GetEntries() == 0) {
      Error("spectrum", "no event passes the selection");
      return 1;
   }

   gSystem->mkdir(gSystem->DirName(output), true);
   TFile file(output, "RECREATE");
   if (file.IsZombie() || file.WriteObject(h.GetPtr(), "mass") == 0)
      return 2;
   return 0;
}
